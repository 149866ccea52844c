import { type FieldInfo, type IMessageType, ScalarType } from '@protobuf-ts/runtime';
import fc from 'fast-check';

/** A message as made by its type. */
export type Message = Record<string, unknown>;
export type MessageType = IMessageType<Message>;

/** Strings that are never valid, or valid in one field and absurd in another. */
const oddStrings = [
  '',
  ' ',
  '\0',
  'a\0b',
  '..',
  '../../etc/passwd',
  '/',
  'blue/',
  '%s%n',
  "'; drop table networks; --",
  '__proto__',
  'constructor',
  'ｂｌｕｅ',
  'x'.repeat(64),
  'x'.repeat(5_000),
  '10.66.0.0/33',
  '10.66.0.1/24',
  '256.1.1.1',
  '::ffff:10.66.0.1',
  'fd66::/129',
  '0.0.0.0/0',
  '::/0',
  '00000000-0000-0000-0000-000000000000',
];

const oddNumbers = [0, 1, 2, 67, 68, 1279, 1280, 1450, 4095, 4096, 65_535, 65_536, 0xffffff, 0x1000000, 0x7fffffff];
const oddLongs = [0n, 1n, -1n, 1n << 31n, (1n << 63n) - 1n, -(1n << 63n)];

/** Longest list. */
const mostItems = 3;

/**
 * Any message of a type that can arrive: each field is one of `words`, an odd value, or anything at all. With an `example`,
 * most fields are as in the example, so that the other fields are reached and checked.
 */
export function anyMessage(type: MessageType, words: readonly string[], example?: Message): fc.Arbitrary<Message> {
  const anything = messageOf(type, words, 2);
  if (example === undefined) return anything.map((message) => asOnWire(type, message));
  const names = type.fields.map(nameOf);
  return fc
    .tuple(anything, fc.subarray(names, { maxLength: Math.min(3, names.length) }))
    .map(([message, taken]) => ({ ...example, ...Object.fromEntries(taken.map((name) => [name, message[name]])) }))
    .map((message) => asOnWire(type, message));
}

function asOnWire(type: MessageType, message: Message): Message {
  return type.fromBinary(type.toBinary(type.create(message)));
}

function messageOf(type: MessageType, words: readonly string[], depth: number): fc.Arbitrary<Message> {
  const fields = type.fields.filter(({ oneof }) => oneof === undefined);
  const plain = fields.map((field) => [nameOf(field), fieldOf(field, words, depth)] as const);
  const choices = new Map<string, FieldInfo[]>();
  for (const field of type.fields) {
    if (field.oneof !== undefined) choices.set(field.oneof, [...(choices.get(field.oneof) ?? []), field]);
  }
  const chosen = Array.from(choices, ([oneof, options]) => [oneof, choiceOf(options, words, depth)] as const);
  return fc.record(Object.fromEntries([...plain, ...chosen]));
}

function choiceOf(options: readonly FieldInfo[], words: readonly string[], depth: number): fc.Arbitrary<unknown> {
  const none = fc.constant({ oneofKind: undefined });
  const some = options.map((field) => {
    const name = field.localName;
    return fieldOf(field, words, depth).map((value) => {
      return value === undefined ? { oneofKind: undefined } : { oneofKind: name, [name]: value };
    });
  });
  return fc.oneof(none, ...some);
}

function fieldOf(field: FieldInfo, words: readonly string[], depth: number): fc.Arbitrary<unknown> {
  if (field.kind === 'map') {
    const value = field.V.kind === 'scalar' ? scalarOf(field.V.T, words) : fc.constant(0);
    return fc.dictionary(stringOf(words), value, { maxKeys: mostItems });
  }
  const one = singleOf(field, words, depth);
  return field.repeat ? fc.array(one, { maxLength: mostItems }) : one;
}

function singleOf(
  field: Exclude<FieldInfo, { kind: 'map' }>,
  words: readonly string[],
  depth: number,
): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'scalar':
      return scalarOf(field.T, words);
    case 'enum':
      return fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(-1, 99, 0x7fffffff));
    case 'message': {
      const message = messageOf(field.T() as MessageType, words, depth - 1);
      if (depth === 0) return field.repeat ? message : fc.constant(undefined);
      return field.repeat ? message : fc.option(message, { nil: undefined });
    }
    default:
      throw new TypeError('a field of a kind that no message of ours has');
  }
}

function scalarOf(type: ScalarType, words: readonly string[]): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return stringOf(words);
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 64 });
    case ScalarType.INT64:
      return fc.oneof(fc.constantFrom(...oddLongs), fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }));
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    case ScalarType.INT32:
      return fc.oneof(fc.constantFrom(-1, ...oddNumbers), fc.integer());
    case ScalarType.DOUBLE:
      return fc.double();
    default:
      return fc.oneof(fc.constantFrom(...oddNumbers), fc.nat());
  }
}

function stringOf(words: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...words) },
    { weight: 3, arbitrary: fc.constantFrom(...oddStrings) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  );
}

function nameOf(field: FieldInfo): string {
  return field.oneof ?? field.localName;
}
