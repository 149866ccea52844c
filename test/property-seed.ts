import fc from 'fast-check';

// Properties draw the same cases on every run, so that a commit is green or red by what it changes; CAUSEWAY_SEED=n draws
// others. A failure prints its seed.
fc.configureGlobal({ seed: Number(process.env['CAUSEWAY_SEED'] ?? '1') });
