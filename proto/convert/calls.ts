/**
 * A service as its callers use it, derived from its generated client: a unary method returns a promise, a streaming
 * method an iterable. (If a method has overloads, TypeScript takes the last: the one without metadata and options.)
 */
export type Calls<GeneratedClient> = {
  readonly [Method in keyof GeneratedClient]: CallOf<GeneratedClient[Method]>;
};

type CallOf<Method> = Method extends (...call: infer Call extends readonly unknown[]) => infer Result
  ? Result extends { readonly deserialize: (chunk: never) => infer Item }
    ? (request: Call[0]) => AsyncIterable<Item>
    : Call extends readonly [infer Request, (error: never, value?: infer Response) => void]
      ? (request: Request) => Promise<Response>
      : never
  : never;
