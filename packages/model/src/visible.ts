/**
 * What must not reach a terminal, a log or a record as it is: control characters (ESC begins commands to a terminal), marks
 * that turn the direction of writing (a name can be made to read as another one), line separators, halves of a character,
 * and what is none.
 */
const unseen = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}\ufeff\ufffe\uffff]/u;
const everyUnseen = new RegExp(unseen, 'gu');

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

/** Text from another host, a path, a name of an interface: one line, and what cannot be seen in it spelled out. */
export function visible(text: string): string {
  return isVisible(text) ? text : text.replaceAll(everyUnseen, (found) => short[found] ?? escaped(found));
}

/** JSON or quoted YAML with the same spelled out by their common escape; what they are made of, line feeds, stays. */
export function visibleData(text: string): string {
  return text.replaceAll(everyUnseen, (found) => (found === '\n' ? found : escaped(found)));
}

/** Whether it is printed as it is. */
export function isVisible(text: string): boolean {
  return !unseen.test(text);
}

/** No error message repeats more of what it was given than a person needs to recognise it, nor what commands a terminal. */
export function clip(text: string, length = 64): string {
  return visible(text.length > length ? `${text.slice(0, length - 3)}...` : text);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** How many names a message lists. */
const mostNames = 5;

/** "h1, h2", in order; of more than five the first five and how many more there are. */
export function listNames(all: readonly { readonly name: string }[]): string {
  const sorted = all.map(({ name }) => name).sort();
  if (sorted.length <= mostNames) return sorted.join(', ');
  return `${sorted.slice(0, mostNames).join(', ')} and ${sorted.length - mostNames} more`;
}
