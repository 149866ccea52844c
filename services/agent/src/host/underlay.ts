import type { Kernel } from '@causeway/datapath';
import { CausewayError, type Ip } from '@causeway/model';
import type { Log } from '@causeway/runtime';

/** The MTU of the device that carries the data path. It is read again and again, because an operator may change it. */
export class UnderlayMtu {
  readonly #kernel: Kernel;
  readonly #log: Log;
  readonly #address: Ip;
  #bytes = 0;

  constructor(modules: { readonly kernel: Kernel; readonly log: Log }, settings: { readonly dataPath: Ip }) {
    this.#kernel = modules.kernel;
    this.#log = modules.log;
    this.#address = settings.dataPath;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Throws when no device carries the address: no other host could reach this host. */
  async load(): Promise<void> {
    const underlay = await this.#kernel.underlay(this.#address);
    if (underlay !== undefined) {
      this.#bytes = underlay.mtu;
      return;
    }
    const message = `data-path ${this.#address}: no network device of this host has this address; use the address at which other hosts reach this host`;
    // The address may come a moment later, for example from a DHCP server, so the setting itself is not called invalid.
    throw new CausewayError('address-absent', message, { field: 'data-path', value: this.#address });
  }

  /** Keeps the last known MTU while the device is away. */
  async refresh(): Promise<void> {
    const before = this.#bytes;
    await this.load().catch((error: unknown) => this.#log.warn('underlay.missing', { message: String(error) }));
    if (this.#bytes !== before) this.#log.warn('underlay.mtu-changed', { from: before, to: this.#bytes });
  }
}
