/** The parts of HOST:PORT, without the brackets of an IPv6 address. */
export function splitHostPort(address: string): { readonly host: string; readonly port: number } {
  const [host = '', port = ''] = address.split(/:(?=\d+$)/);
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
