/**
 * What must not reach a terminal as it is: control characters (ESC begins commands to it), marks that turn the direction
 * of writing (a name can be made to read as another one), line separators, halves of a character, and what is none.
 */
const unseen = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}\ufeff\ufffe\uffff]/gu;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

/** Text from another host, a path, a name of an interface: one line, and what cannot be seen in it spelled out. */
export function visible(text: string): string {
  return text.replaceAll(unseen, (character) => short[character] ?? escaped(character));
}

/** JSON or quoted YAML with the same spelled out by their common escape; what they are made of, line feeds, stays. */
export function visibleData(text: string): string {
  return text.replaceAll(unseen, (character) => (character === '\n' ? character : escaped(character)));
}

/** Whether it can be typed as it is. */
export function isTypable(word: string): boolean {
  return visible(word) === word;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
