/** A secret, in each form in which a program may have written it. */
export interface SecretForms {
  readonly bytes: Buffer;
  readonly texts: readonly string[];
}

export function formsOf(secret: Uint8Array): SecretForms {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].map((before) => base64Of(bytes, before));
  const base64url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return { bytes, texts: [hex, hex.toUpperCase(), ...base64, ...base64url, [...bytes].join(',')] };
}

/** A secret that is text. The last characters are left out, so that the text is found also with a mistake at its end. */
export function textForms(secret: string): SecretForms {
  const most = secret.slice(0, -4);
  return { ...formsOf(Buffer.from(most)), texts: [most, most.toUpperCase(), ...formsOf(Buffer.from(most)).texts] };
}

/** Whether the content has one of the secrets. */
export function hasSecret(content: Buffer, secrets: readonly SecretForms[]): boolean {
  const text = joined(content);
  return secrets.some(({ bytes, texts }) => content.includes(bytes) || texts.some((each) => text.includes(each)));
}

/** Lines of PEM as one, also if the line ends are escaped, and lists of numbers without blanks. */
function joined(content: Buffer): string {
  return content.toString('latin1').replaceAll(/\\[rn]|\s/g, '');
}

/** The characters that depend on nothing but the bytes, which are inside of other bytes, such as those of a key in DER. */
function base64Of(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
  return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}
