import { beforeEach, describe, expect, it } from 'vitest';
import type { KeyFile } from './key-file.ts';

/** What every KeyFile must do. `createPlace`: the same place for each file that it makes, as another process finds it. */
export function describeKeyFile(name: string, createPlace: () => Promise<() => KeyFile>): void {
  describe(`KeyFile contract: ${name}`, () => {
    let file: () => KeyFile;
    beforeEach(async () => {
      file = await createPlace();
    });

    it('is absent at first', async () => {
      expect(await file().read()).toBeUndefined();
    });

    it('has the text that was written last, in another process too', async () => {
      await file().write('one, which is longer');
      await file().write('two');
      expect(await file().read()).toBe('two');
    });
  });
}
