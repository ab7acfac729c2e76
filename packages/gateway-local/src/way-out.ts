import type { Logger } from "@hawser/gateway-kit";
import type { EgressFamilies } from "@hawser/shared-protocol";
import type { EventLog } from "@hawser/status-api";

const NAMES = { ipv4: "IPv4", ipv6: "IPv6" } as const;
type Family = keyof typeof NAMES;

/**
 * Knows by which address families the remote gateway reaches the Internet. A new session begins with what the session
 * before it knew. The redirect rules refuse the LAN's connections of a missing family.
 */
export class WayOut {
  readonly #log: EventLog;
  readonly #peer: string;
  readonly #logger: Logger;
  #families: EgressFamilies = { ipv4: true, ipv6: true };
  /** Called when the families have changed. */
  onChange: (families: EgressFamilies) => void = () => {};

  constructor(log: EventLog, peer: string, logger: Logger) {
    this.#log = log;
    this.#peer = peer;
    this.#logger = logger;
  }

  /** Both families until the remote gateway has told otherwise. */
  get families(): EgressFamilies {
    return this.#families;
  }

  /** Takes in the remote gateway's EGRESS frame. */
  handleEgress(families: EgressFamilies): void {
    const before = this.#families;
    this.#families = families;
    const changed = (["ipv4", "ipv6"] as const).filter((family) => before[family] !== families[family]);
    for (const family of changed) this.#tell(family, families);
    if (changed.length > 0) this.onChange(families);
  }

  #tell(family: Family, families: EgressFamilies): void {
    const name = NAMES[family];
    if (families[family]) {
      const message = `the remote gateway has a way out by ${name} again; the LAN's ${name} is carried`;
      this.#log.add("egress-back", message, { peer: this.#peer });
      this.#logger.info({ family }, message);
    } else {
      const message = `the remote gateway has no way out by ${name}: the LAN's ${name} connections are refused at once, so that programs take the other family`;
      this.#log.add("egress-lost", message, { peer: this.#peer });
      this.#logger.warn({ family }, message);
    }
  }
}
