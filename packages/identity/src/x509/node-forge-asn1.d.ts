/** The part of node-forge that is used. Its own types, from DefinitelyTyped, are only for the whole of node-forge. */
declare module 'node-forge/lib/asn1.js' {
  interface Asn1 {
    readonly tagClass: number;
    readonly type: number;
    readonly constructed: boolean;
    readonly value: string | Asn1[];
  }
  interface ByteBuffer {
    getBytes(): string;
  }
  interface DerOptions {
    readonly strict: boolean;
    readonly parseAllBytes: boolean;
    readonly decodeBitStrings: boolean;
    readonly maxDepth: number;
  }
  const asn1: {
    create(tagClass: number, type: number, constructed: boolean, value: string | readonly Asn1[]): Asn1;
    toDer(node: Asn1): ByteBuffer;
    fromDer(bytes: string, options: DerOptions): Asn1;
    oidToDer(oid: string): ByteBuffer;
    derToOid(bytes: string): string;
  };
  export default asn1;
}
