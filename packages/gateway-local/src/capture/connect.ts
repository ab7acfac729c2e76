import type { Socket } from "node:net";
import { Flow, prepareApplication } from "@hawser/gateway-kit";
import { StreamCode } from "@hawser/shared-protocol";
import { acceptConnect, type OnConnect, refuseConnect } from "@hawser/status-api";
import type { FlowOpener } from "./flow-opener.ts";

/** The status of HTTP for each code of the remote gateway. */
const STATUSES: Readonly<Record<number, [number, string]>> = {
  [StreamCode.refused]: [502, "the destination refused the connection"],
  [StreamCode.hostUnreachable]: [502, "the destination cannot be reached"],
  [StreamCode.networkUnreachable]: [
    502,
    "the destination's network cannot be reached, or no line to the remote gateway is up",
  ],
  [StreamCode.timeout]: [504, "the destination did not answer"],
  [StreamCode.nameNotFound]: [502, "the name does not resolve"],
  [StreamCode.notAllowed]: [403, "the remote gateway does not allow the destination"],
};

/** Opens the tunnels of `hawser-local connect`, which ask the status server for them. */
export function connectHandler(opener: FlowOpener): OnConnect {
  return (target, socket: Socket, head) => {
    prepareApplication(socket);
    let opened = false;
    const flow = opener.open("connect", target, socket, {
      onOpened: () => {
        opened = true;
        acceptConnect(socket);
      },
      onReset: (code) => {
        if (opened) return false;
        const [status, why] = STATUSES[code] ?? [502, "the flow could not be opened"];
        refuseConnect(socket, status, why);
        return true;
      },
    });
    if (!(flow instanceof Flow)) {
      const isCutOff = flow === StreamCode.networkUnreachable;
      const why = isCutOff ? "no line to the remote gateway is up" : "the gateway takes no more flows now";
      return refuseConnect(socket, 503, why);
    }
    const forward = (bytes: Buffer): void => {
      if (!flow.handleBytes(bytes)) socket.pause();
    };
    if (head.length > 0) forward(head);
    socket.on("data", forward);
    socket.resume();
  };
}
