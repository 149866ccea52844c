import { describeKeyFile } from '../encryption/key-file-contract.ts';
import { MemoryKeyFile } from './memory-key-file.ts';

describeKeyFile('in memory', async () => {
  const file = new MemoryKeyFile();
  return () => file;
});
