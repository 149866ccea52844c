import { CausewayError, clip, fail, isVisible, ok, type Result } from '@causeway/model';

/** Name of the interface when the request names none. */
export const defaultIfname = 'eth0';

/** IFNAMSIZ less the final zero (linux/if.h). */
const longest = 15;

/** Names with another meaning: for the kernel, or as directories of net.ipv4.conf. */
const reserved: ReadonlySet<string> = new Set(['lo', '.', '..', 'all', 'default']);

/**
 * The rules of dev_valid_name() in net/core/dev.c. Invisible characters are refused too, and so is "%", because it asks
 * the kernel to choose a number.
 */
export function parseIfname(text: string): Result<string, CausewayError> {
  const why = faultOf(text);
  if (why === undefined) return ok(text);
  const message = `ifname "${clip(text)}" ${why}: expected at most ${longest} bytes without "/", ":", "%", white space or control characters, such as ${defaultIfname}`;
  return fail(new CausewayError('ifname-invalid', message, { field: 'ifname', value: clip(text) }));
}

function faultOf(text: string): string | undefined {
  if (text === '') return 'is empty';
  const { length } = new TextEncoder().encode(text);
  if (length > longest) return `is ${length} bytes long`;
  if (/[\s/:%]/.test(text) || !isVisible(text)) return 'has a character that is not allowed';
  return reserved.has(text) ? 'is reserved' : undefined;
}
