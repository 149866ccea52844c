/** The kernel refused: a system call, or a netlink request. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  /** By name: "EEXIST". */
  readonly errno: string;
  /** What the kernel said beside the number, or the call that failed. */
  readonly detail: string;

  constructor(errno: string, detail: string) {
    super(detail === '' ? errno : `${errno}: ${detail}`);
    this.errno = errno;
    this.detail = detail;
  }
}
