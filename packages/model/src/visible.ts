/**
 * Characters that must not reach a terminal, a log or a record unchanged: control characters (a terminal obeys commands
 * that begin with ESC), marks that change the direction of writing (a name can be made to look like another name), line
 * separators, halves of a character, and code points that are no characters.
 */
const unseen = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}\ufeff\ufffe\uffff]/u;
const everyUnseen = new RegExp(unseen, 'gu');

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

/**
 * Turns text from another host, a path or an interface name into one line in which invisible characters are spelled out.
 */
export function visible(text: string): string {
  return text.replaceAll(everyUnseen, (found) => short[found] ?? escaped(found));
}

/**
 * JSON or quoted YAML with these characters as \u escapes, which both formats have. Line feeds stay, because both formats
 * use them.
 */
export function visibleData(text: string): string {
  return text.replaceAll(everyUnseen, (found) => (found === '\n' ? found : escaped(found)));
}

/** Whether the text is printed unchanged. */
export function isVisible(text: string): boolean {
  return !unseen.test(text);
}

/** Shortens input for error messages to what a person needs to recognise it, and spells out what a terminal would obey. */
export function clip(text: string, length = 64): string {
  return visible(text.length > length ? `${text.slice(0, length - 3)}...` : text);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Maximum number of names in a message. */
const mostNames = 5;

/** "h1, h2", in order. If there are more than five names: the first five, and the number of the others. */
export function listNames(all: readonly { readonly name: string }[]): string {
  const sorted = all.map(({ name }) => name).sort();
  if (sorted.length <= mostNames) return sorted.join(', ');
  return `${sorted.slice(0, mostNames).join(', ')} and ${sorted.length - mostNames} more`;
}
