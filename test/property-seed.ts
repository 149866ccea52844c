import fc from 'fast-check';

// Properties draw the same cases on every run, so that only a change of the code can change the result. CAUSEWAY_SEED=n
// draws other cases. A failure prints its seed.
fc.configureGlobal({ seed: Number(process.env['CAUSEWAY_SEED'] ?? '1') });
