/**
 * The system calls of the emulator. Memory is passed by address (a plain number is exact below 2^53): no object is
 * made per call, so the loop leaves nothing for the garbage collector.
 */
import koffi from "koffi";

const libc = koffi.load(null);

/** Values of Linux's uapi headers on x86-64 and arm64. */
export const Const = {
  O_RDONLY: 0,
  O_RDWR: 2,
  O_NONBLOCK: 0o4000,
  O_CLOEXEC: 0o2000000,
  CLONE_NEWNET: 0x40000000,
  TUNSETIFF: 0x400454ca,
  IFF_TUN: 0x0001,
  IFF_NO_PI: 0x1000,
  POLLIN: 0x0001,
  POLLFAIL: 0x0008 | 0x0010 | 0x0020,
  PR_SET_TIMERSLACK: 29,
  PR_SET_NAME: 15,
  SCHED_FIFO: 1,
} as const;

type Numbers = (...args: number[]) => number;

export const read = libc.func("intptr_t read(int fd, uintptr_t buffer, size_t bytes)") as Numbers;
export const write = libc.func("intptr_t write(int fd, uintptr_t buffer, size_t bytes)") as Numbers;
export const close = libc.func("int close(int fd)") as Numbers;
/** ppoll(2) without a signal mask; timeout 0 (a null pointer) waits for ever. */
export const ppoll = libc.func(
  "int ppoll(uintptr_t fds, uintptr_t count, uintptr_t timeout, uintptr_t mask)",
) as Numbers;

const openFile = libc.func("int open(const char *path, int flags)") as (
  path: string,
  flags: number,
) => number;
const ioctlFlags = libc.func("int ioctl(int fd, unsigned long request, ...)") as (
  ...args: unknown[]
) => number;
const setns = libc.func("int setns(int fd, int kind)") as Numbers;
const prctl = libc.func(
  "int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)",
) as Numbers;
const sched = libc.func("int sched_setscheduler(int pid, int policy, const int *priority)") as (
  ...args: unknown[]
) => number;

function failed(what: string): Error {
  return new Error(`${what}: errno ${koffi.errno()}`);
}

/** The address of memory. Its owner must keep a reference to it. V8 never moves array buffers. */
export function addressOf(memory: ArrayBufferView): number {
  return Number(koffi.address(memory));
}

/**
 * Makes a TUN device in a named network namespace and returns its non-blocking descriptor. The device lives as long
 * as the descriptor. /dev/net/tun belongs to the namespace it is opened in, so the thread goes there and back.
 */
export function openTun(namespace: string, device: string): number {
  const flags = Const.O_RDONLY | Const.O_CLOEXEC;
  const home = openFile("/proc/thread-self/ns/net", flags);
  const there = openFile(`/run/netns/${namespace}`, flags);
  if (home < 0 || there < 0) throw failed(`cannot open the namespace ${namespace}`);
  if (setns(there, Const.CLONE_NEWNET) !== 0) throw failed(`setns ${namespace}`);
  const fd = openFile("/dev/net/tun", Const.O_RDWR | Const.O_NONBLOCK | Const.O_CLOEXEC);
  if (fd < 0) throw failed("cannot open /dev/net/tun");
  // struct ifreq: 16 bytes of name, then the flags.
  const request = Buffer.alloc(40);
  request.write(device, "latin1");
  request.writeUInt16LE(Const.IFF_TUN | Const.IFF_NO_PI, 16);
  if (ioctlFlags(fd, Const.TUNSETIFF, "void *", request) !== 0) throw failed(`TUNSETIFF ${device}`);
  if (setns(home, Const.CLONE_NEWNET) !== 0) throw failed("setns back");
  close(home);
  close(there);
  return fd;
}

/**
 * Makes sleeps end on time. Timers get no slack (the default is 50 us). The process gets a real-time priority, since
 * the machine under test is busy and the lines must not be late. Some containers refuse both; the lines are then only
 * as punctual as the machine is idle.
 */
export function becomePunctual(): boolean {
  prctl(Const.PR_SET_TIMERSLACK, 1, 0, 0, 0);
  return sched(0, Const.SCHED_FIFO, Int32Array.of(1)) === 0;
}
