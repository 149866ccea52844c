/**
 * A service as its callers want it, of the interface of its generated client: a method that answers once is a promise, one that
 * answers with a stream is iterated. (Of an overloaded method TypeScript takes the last form: without metadata and options.)
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
