import type { EndpointId, NetworkId } from '@causeway/model';

/** Makes the kernel follow the intent. Returns, in words, the refusals of the kernel that affect the endpoint. */
export type Settle = (networkId: NetworkId, endpointId: EndpointId) => Promise<readonly string[]>;
