import type { Credential, PeerName, PrivateKey, TokenId } from '@causeway/identity';
import type { RequestId } from '@causeway/model';

/** What a joiner has asked for. It is kept until the answer is, so that a join that was interrupted uses its token once. */
export interface Attempt {
  /** What the attempt is about: an attempt about something else is another attempt. */
  readonly about: string;
  readonly requestId: RequestId;
  readonly key: PrivateKey;
  /** PKCS #10 in DER. */
  readonly request: Uint8Array;
}

/** To which cluster a process of this host belongs, and as what. */
export interface Membership {
  readonly name: PeerName;
  /** The token with which it joined; absent: it founded the cluster. */
  readonly token?: TokenId;
  /** HOST:PORT of the managers, as they have said last: when it joined, or later. */
  readonly managers: readonly string[];
}

export interface NewMembership extends Membership {
  readonly credential: Credential;
  /** Only of a manager: the content of the file with its sealing key. */
  readonly sealingKeyFile?: string;
}

/** Where a member keeps its identity: the data directory of an agent or a manager, or the context of an operator. */
export interface Home {
  /** Undefined: there is no identity. */
  read(): Promise<Membership | undefined>;
  /** @throws CausewayError identity-missing */
  credential(): Promise<Credential>;
  attempt(): Promise<Attempt | undefined>;
  keepAttempt(attempt: Attempt): Promise<void>;
  /** When this resolves, the membership is durable, and there is no attempt any more. */
  keep(membership: NewMembership): Promise<void>;
  /** Other addresses of managers, beside a credential that is there. */
  keepManagers(managers: readonly string[]): Promise<void>;
  /** Deletes all of this. */
  clear(): Promise<void>;
}
