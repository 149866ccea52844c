/** The digest of one kind of content of a table, in the given feed version (feed.ts). */
type Digest<Content> = (content: Content, version: number) => bigint;

/** All digests of that content. Each counts from the feed version of its number until that of the next digest. */
export type Digests<Content> = Readonly<Record<number, Digest<Content>>>;

export function addDigest(sum: bigint, part: bigint): bigint {
  return BigInt.asUintN(64, sum + part);
}

export function removeDigest(sum: bigint, part: bigint): bigint {
  return BigInt.asUintN(64, sum - part);
}

/** Two 32-bit multiply-xorshift lanes over the text's UTF-16 units; the constants are odd and unrelated. */
export function hash64(text: string): bigint {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return (BigInt(b >>> 0) << 32n) | BigInt(a >>> 0);
}
