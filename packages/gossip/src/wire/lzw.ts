import type { Bytes } from './bytes.ts';

// LZW as Go's compress/lzw writes it with LSB order and 8-bit literals, which is GIF's: codes of 9 to 12 bits, lowest bit
// first. A code becomes wider when the next number does not fit. A full table ends with a clear code.
const clear = 256;
const end = 257;
const minWidth = 9;
const maxWidth = 12;
const tableSize = 1 << maxWidth;
const noCode = -1;

// The string of a code is in the output already: the string of the code before it, and the byte that followed. No code is read
// before it was set, so the tables serve all calls.
const starts = new Uint32Array(tableSize);
const lengths = new Uint32Array(tableSize);

/**
 * Expands LZW. Undefined: the input is not LZW, has no end code, or expands to more than `limit` bytes. Bytes after the end
 * code are ignored, as in Go.
 */
export function inflate(input: Bytes, limit: number): Bytes | undefined {
  let output = new Uint8Array(Math.min(limit, Math.max(256, input.length * 4)));
  let length = 0;
  let bits = 0;
  let bitCount = 0;
  let at = 0;
  let width = minWidth;
  let next = end;
  let last = noCode;
  let lastStart = 0;
  for (;;) {
    while (bitCount < width) {
      if (at === input.length) return undefined;
      bits |= (input[at++] ?? 0) << bitCount;
      bitCount += 8;
    }
    const code = bits & ((1 << width) - 1);
    bits >>>= width;
    bitCount -= width;
    if (code === end) return output.subarray(0, length);
    if (code === clear) {
      width = minWidth;
      next = end;
      last = noCode;
      continue;
    }
    if (code > next || (code === next && last === noCode && next !== tableSize - 1)) return undefined;
    if (last !== noCode) {
      starts[next] = lastStart;
      lengths[next] = length - lastStart + 1;
    }
    const size = code < clear ? 1 : (lengths[code] ?? 0);
    if (length + size > limit) return undefined;
    if (length + size > output.length) output = grown(output, length + size, limit);
    if (code < clear) output[length] = code;
    else {
      // Forward and byte by byte: the string of the newest code overlaps with what is being written.
      const start = starts[code] ?? 0;
      for (let i = 0; i < size; i++) output[length + i] = output[start + i] ?? 0;
    }
    lastStart = length;
    length += size;
    last = code;
    next++;
    if (next < 1 << width) continue;
    if (width < maxWidth) width++;
    else {
      last = noCode;
      next--;
    }
  }
}

function grown(bytes: Bytes, atLeast: number, limit: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(limit, Math.max(atLeast, bytes.length * 2)));
  larger.set(bytes);
  return larger;
}

/** Compresses to the same bytes as Go's writer. */
export function deflate(input: Bytes): Bytes {
  const codes = new Map<number, number>();
  let output = new Uint8Array(input.length + 16);
  let length = 0;
  let bits = 0;
  let bitCount = 0;
  let width = minWidth;
  let next = end;
  const put = (code: number): void => {
    bits |= code << bitCount;
    bitCount += width;
    if (length + 4 > output.length) output = grown(output, length + 4, Number.POSITIVE_INFINITY);
    while (bitCount >= 8) {
      output[length++] = bits;
      bits >>>= 8;
      bitCount -= 8;
    }
  };
  /** Takes the next number. False: the table was full, and a clear code has emptied it. */
  const advance = (): boolean => {
    next++;
    if (next === 1 << width) width++;
    if (next !== tableSize - 1) return true;
    put(clear);
    width = minWidth;
    next = end;
    codes.clear();
    return false;
  };
  put(clear);
  let code = input[0] ?? noCode;
  for (let i = 1; i < input.length; i++) {
    const literal = input[i] ?? 0;
    const key = (code << 8) | literal;
    const longer = codes.get(key);
    if (longer !== undefined) {
      code = longer;
      continue;
    }
    put(code);
    code = literal;
    if (advance()) codes.set(key, next);
  }
  if (code !== noCode) {
    put(code);
    advance();
  }
  put(end);
  if (bitCount > 0) output[length++] = bits;
  return output.subarray(0, length);
}
