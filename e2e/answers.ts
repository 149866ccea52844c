/** Output of the commands of the contract with `-o json`. */
export interface NetworkJson {
  readonly id: string;
  readonly name: string;
  readonly vni: number;
  readonly mtu: number;
  readonly subnets: readonly { readonly prefix: string; readonly gateway: string }[];
  readonly revision: number;
}

export interface EndpointJson {
  readonly id: string;
  readonly name: string;
  readonly network: string;
  readonly host: string;
  readonly addresses: readonly string[];
  readonly mac: string;
  readonly revision: number;
  readonly applied: AppliedJson;
}

export interface AppliedJson {
  readonly have: number;
  readonly want: number;
  readonly waiting?: readonly string[];
  readonly unreachable?: readonly string[];
  readonly p99Ms?: number;
}

export interface DriftJson {
  readonly host: string;
  readonly network: string;
  readonly kind: string;
  readonly key: string;
  readonly actual: string;
  readonly desired: string;
}

export interface VerifyJson {
  readonly drift: readonly DriftJson[];
}

export interface StatusJson {
  readonly repairs: number | null;
  readonly drift: number | null;
  readonly leader: { readonly node: string; readonly address: string; readonly term: number } | null;
  readonly managers: readonly { readonly name: string; readonly state: string; readonly lag: number | null }[];
  readonly etcd: {
    readonly members: readonly {
      readonly name: string;
      readonly healthy: boolean;
      readonly leader: boolean;
      readonly alarms: readonly string[];
    }[];
    readonly revision: number | null;
  };
  readonly hosts: {
    readonly ready: number;
    readonly total: number;
    readonly notReady: readonly { readonly name: string; readonly reason: string }[];
  };
  readonly degraded: { readonly networks: number | null; readonly endpoints: number | null };
}

export interface EventJson {
  readonly sequence: number;
  readonly kind: string;
  readonly network: string | null;
  readonly endpoint: string | null;
  readonly host: string | null;
  readonly message: string;
}
