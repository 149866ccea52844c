declare const tag: unique symbol;

/** A primitive that only its own constructor can make. Values of two brands never mix. */
export type Brand<Base, Name extends string> = Base & { readonly [tag]: Name };
