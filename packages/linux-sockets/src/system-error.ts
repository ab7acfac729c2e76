import { getSystemErrorMap } from "node:util";

/**
 * A failed system call, as an error with a stable code.
 *
 * `code` is the errno's name (`ENODEV`, `EPERM`; errno(3)), or one of the `ERR_*` codes below when no call was made.
 * `errno` is the positive number; 0 for `ERR_*`.
 */
export class SystemError extends Error {
  override readonly name = "SystemError";
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  constructor(code: string, errno: number, syscall: string, message: string) {
    super(`${message} (${syscall}: ${code})`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}

/** Codes of errors that no system call reported. */
export const SystemErrorCode = {
  /** Not Linux, or koffi has no build for this machine and C library. */
  libcUnavailable: "ERR_LIBC_UNAVAILABLE",
  /** An argument that no system call was tried with. */
  badArgument: "ERR_BAD_ARGUMENT",
} as const;

/** The symbolic name of a positive errno, `E<number>` when the runtime knows none. */
export function errnoName(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[0] ?? `E${errno}`;
}

/** The runtime's text for a positive errno, in its own words ("no such device"). */
export function errnoText(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[1] ?? `error ${errno}`;
}
