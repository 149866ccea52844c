import {
  CausewayError,
  clip,
  type Labels,
  type Name,
  parseName,
  parseLabel as parseOneLabel,
  type Result,
  unwrap,
} from '@causeway/model';
import { type Duration, parseDuration } from '@causeway/runtime';

/** Turns a parser of the model into a parser for commander. The error names the option or argument that is wrong. */
export function parseAs<Value>(field: string, parse: (text: string) => Result<Value, CausewayError>) {
  return (text: string): Value => {
    const result = parse(text);
    if (result.ok) return result.value;
    const { code, message, data } = result.error;
    throw new CausewayError(code, `${field}: ${message}`, { ...data, field }, { cause: result.error });
  };
}

export function parseNameOf(field: string) {
  return (text: string): Name => unwrap(parseName(text, field));
}

/** For an option that may be given several times. */
export function parseEach<Value>(field: string, parse: (text: string) => Result<Value, CausewayError>) {
  const one = parseAs(field, parse);
  return (text: string, before: readonly Value[]): readonly Value[] => [...before, one(text)];
}

/** For an option that may be given several times. */
export function collectText(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

export function parseInteger(field: string, smallest: number) {
  return (text: string): number => {
    const value = Number(text);
    if (/^\d{1,15}$/.test(text) && value >= smallest) return value;
    throw new CausewayError('invalid-argument', `${field}: "${clip(text)}" is not a whole number from ${smallest} up`, {
      field,
      value: clip(text),
    });
  };
}

export function parseWhole(field: string, least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (/^-?\d{1,6}$/.test(text) && value >= least && value <= most) return value;
    const message = `${field}: "${clip(text)}" is not a whole number from ${least} to ${most}`;
    throw new CausewayError('invalid-argument', message, { field, value: clip(text) });
  };
}

/** `such`: examples. */
export function parseDurationOf(field: string, such: string) {
  return (text: string): Duration => {
    const duration = parseDuration(text);
    if (duration !== undefined && duration > 0) return duration;
    const message = `${field}: "${clip(text)}" is not a duration such as ${such}`;
    throw new CausewayError('invalid-argument', message, { field, value: clip(text) });
  };
}

export function parseRevisionOf(field: string) {
  return (text: string): bigint => {
    if (/^[1-9]\d{0,17}$/.test(text)) return BigInt(text);
    throw new CausewayError('invalid-argument', `${field}: "${clip(text)}" is not a revision such as 42`, {
      field,
      value: clip(text),
    });
  };
}

/** "key=value"; the option is given once for each label. */
export function parseLabel(text: string, before: Labels): Labels {
  const [key, value] = unwrap(parseOneLabel(text, '--label'));
  return { ...before, [key]: value };
}

/** A service has another working directory, so only an absolute path means the same to both. `such`: an example. */
export function parseAbsolutePath(field: string, such: string) {
  return (text: string): string => {
    if (text.startsWith('/')) return text;
    const message = `${field}: "${clip(text)}" is not an absolute path such as ${such}`;
    throw new CausewayError('invalid-argument', message, { field, value: clip(text) });
  };
}
