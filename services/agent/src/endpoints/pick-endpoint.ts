import { CausewayError, clip, type EndpointId, type NetworkId } from '@causeway/model';

/** An endpoint of this host that a caller may name. */
export interface LocalEndpoint {
  readonly id: EndpointId;
  readonly name: string;
  readonly networkId: NetworkId;
  /** undefined: this host does not have the network's table (yet). */
  readonly network: string | undefined;
  /** The managers have released the endpoint, or are asked to. A new endpoint of the network may have its name already. */
  readonly isLeaving: boolean;
}

/**
 * The endpoint that the text names: an id, a name, or NETWORK/NAME. undefined: no endpoint of this host. When two
 * endpoints of a network have the name, the text names the endpoint that stays. Throws `name-ambiguous`.
 */
export function pickEndpoint(local: readonly LocalEndpoint[], target: string): LocalEndpoint | undefined {
  const byId = local.find((endpoint) => endpoint.id === target);
  if (byId !== undefined) return byId;
  const [network, name] = target.includes('/') ? split(target) : [undefined, target];
  const matches = local.filter(
    (endpoint) =>
      endpoint.name === name &&
      (network === undefined || network === endpoint.network || network === endpoint.networkId),
  );
  const staying = matches.filter(({ isLeaving }) => !isLeaving);
  const candidates = staying.length > 0 ? staying : matches.slice(-1);
  if (candidates.length < 2) return candidates[0];
  throw ambiguous(candidates, target);
}

function ambiguous(candidates: readonly LocalEndpoint[], target: string): CausewayError {
  const choices = candidates.map((endpoint) => `${endpoint.network ?? endpoint.networkId}/${endpoint.name}`).join(', ');
  const text = `endpoint "${clip(target)}" is in several networks: use one of ${choices}`;
  return new CausewayError('name-ambiguous', text, { endpoint: clip(target) });
}

function split(text: string): [string, string] {
  const at = text.indexOf('/');
  return [text.slice(0, at), text.slice(at + 1)];
}
