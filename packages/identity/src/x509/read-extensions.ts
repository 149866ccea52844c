import { ipFromBytes } from '@causeway/model';
import { toBinary, toHex } from '../text.ts';
import type { Certificate } from './certificate.ts';
import { content, contextContent, decode, isContext, oidOf, parts, tag } from './der.ts';

/** An extension of a certificate that was read, RFC 5280 §4.1.2.9. */
export interface Extension {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: Uint8Array;
}

/** Undefined: the certificate has none, or is not in DER. */
export function extensionsOf({ der }: Pick<Certificate, 'der'>): readonly Extension[] | undefined {
  const [structure] = parts(decode(der)) ?? [];
  const list = parts(structure)?.find((node) => isContext(node, 3));
  const [all] = Array.isArray(list?.value) ? list.value : [];
  const extensions: Extension[] = [];
  for (const node of parts(all) ?? []) {
    const [name, ...rest] = parts(node) ?? [];
    const id = oidOf(name);
    const value = content(rest.at(-1), tag.octetString);
    if (id === undefined || value === undefined) return undefined;
    extensions.push({ id, isCritical: content(rest[0], tag.boolean)?.[0] === 0xff, value });
  }
  return extensions.length === 0 ? undefined : extensions;
}

/** Whether a basicConstraints says that the holder is a CA. OpenSSL also looks at the keyUsage before it says so. */
export function isAuthorityIn(value: Uint8Array | undefined): boolean {
  return content(value && parts(decode(value))?.[0], tag.boolean)?.[0] === 0xff;
}

/** The ids of an extKeyUsage. */
export function usagesIn(value: Uint8Array | undefined): readonly (string | undefined)[] {
  return (value && parts(decode(value))?.map(oidOf)) ?? [];
}

/** The first eight bits of a keyUsage, the first bit (digitalSignature) at 0x80. */
export function keyUsageIn(value: Uint8Array | undefined): number {
  return (value && content(decode(value), tag.bitString)?.[1]) ?? 0;
}

/** How many CAs may stand below a CA; infinite: its basicConstraints do not say. */
export function pathLengthIn(value: Uint8Array | undefined): number {
  const bytes = content(value && parts(decode(value))?.[1], tag.integer);
  return bytes === undefined ? Number.POSITIVE_INFINITY : Number.parseInt(toHex(bytes), 16);
}

/** Whether an authorityKeyIdentifier names the issuer by more than the id of its key. */
export function namesSerialIn(value: Uint8Array | undefined): boolean {
  return (value && parts(decode(value)))?.some((node) => !isContext(node, 0)) ?? false;
}

/** "URI:spiffe://…", "DNS:m1.example", "IP:10.0.0.1", in the order of the certificate. Other kinds are shown by their number. */
export function alternativeNamesIn(value: Uint8Array | undefined): readonly string[] {
  return (value && parts(decode(value))?.map((node) => formatName(contextContent(node)))) ?? [];
}

function formatName(name: { readonly number: number; readonly bytes: Uint8Array } | undefined): string {
  if (name === undefined) return 'a name that is no text';
  const { number, bytes } = name;
  switch (number) {
    case 2:
      return `DNS:${toBinary(bytes).toLowerCase()}`;
    case 6:
      return `URI:${toBinary(bytes)}`;
    case 7:
      return `IP:${bytes.length === 4 || bytes.length === 16 ? ipFromBytes(bytes) : toHex(bytes)}`;
    default:
      return `a name of the kind ${number}`;
  }
}
