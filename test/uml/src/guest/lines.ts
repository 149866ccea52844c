/** A value as a line of JSON, with bytes. */
export function toLine<Value>(value: Value): string {
  const encode = (_: string, each: unknown): unknown =>
    each instanceof Uint8Array ? { bytes: Buffer.from(each).toString('hex') } : each;
  return `${JSON.stringify(value, encode)}\n`;
}

export function fromLine<Value>(line: string): Value {
  const decode = (_: string, each: { readonly bytes?: unknown } | null): unknown =>
    typeof each?.bytes === 'string' ? new Uint8Array(Buffer.from(each.bytes, 'hex')) : each;
  return JSON.parse(line, decode) as Value;
}
