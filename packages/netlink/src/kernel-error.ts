/** The kernel refused a system call or a netlink request. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  /** Name of the errno: "EEXIST". */
  readonly errno: string;
  /** The kernel's text beside the errno, or the call that failed. */
  readonly detail: string;

  constructor(errno: string, detail: string) {
    super(detail === '' ? errno : `${errno}: ${detail}`);
    this.errno = errno;
    this.detail = detail;
  }
}
