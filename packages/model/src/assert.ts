/** Closes a switch over a union: a new variant then fails to compile wherever it must be handled. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected variant: ${JSON.stringify(value)}`);
}
