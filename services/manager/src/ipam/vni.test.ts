import { firstAutomaticVni, lastVni, type Name, type NetworkId, type Vni } from '@causeway/model';
import { expect, test } from 'vitest';
import type { ClaimedVni, VniClaim } from '../store/records/vni-claim.ts';
import { Vnis } from './vni.ts';

const network = 'b000000000000001' as NetworkId;
const chosen: VniClaim = { kind: 'network', network, asked: false };
const asked: VniClaim = { kind: 'network', network, asked: true };
const cooling: VniClaim = { kind: 'cooling', network, name: 'blue' as Name, asked: false };

/** Claims VNIs one after the other, as a view would report them. */
class Book {
  readonly vnis = new Vnis();
  readonly #claims = new Map<number, ClaimedVni>();
  #revision = 0n;

  set(vni: number, claim?: VniClaim): void {
    const before = this.#claims.get(vni);
    const revision = ++this.#revision;
    const after = claim === undefined ? undefined : { claim, created: before?.created ?? revision, revision };
    this.vnis.account(vni as Vni, before, after);
    if (after === undefined) {
      this.#claims.delete(vni);
      this.vnis.giveBack(vni as Vni);
    } else {
      this.#claims.set(vni, after);
      this.vnis.take(vni as Vni);
    }
  }
}

test('the next after the last, past what is taken, from the first again at the end', () => {
  const book = new Book();
  expect(book.vnis.next()).toBe(firstAutomaticVni);
  book.set(firstAutomaticVni, chosen);
  book.set(4098, asked);
  expect(book.vnis.next()).toBe(4097);
  book.set(4097, chosen);
  expect(book.vnis.next()).toBe(4099);
  book.set(firstAutomaticVni);
  expect(book.vnis.next()).toBe(4099);
  book.set(lastVni, chosen);
  expect(book.vnis.next()).toBe(firstAutomaticVni);
});

test('a VNI that cools is passed over and remembered as given', () => {
  const book = new Book();
  book.set(4096, chosen);
  book.set(4097, chosen);
  book.set(4097, cooling);
  expect(book.vnis.next()).toBe(4098);
  expect(book.vnis.use).toEqual({ size: 0xffffff - 4095, used: 1, cooling: 1 });
  book.set(4097);
  expect(book.vnis.use).toMatchObject({ used: 1, cooling: 0 });
});

test('VNIs below the automatic range are ignored', () => {
  const book = new Book();
  book.set(77, asked);
  expect(book.vnis.use).toMatchObject({ used: 0, cooling: 0 });
  expect(book.vnis.next()).toBe(firstAutomaticVni);
});
