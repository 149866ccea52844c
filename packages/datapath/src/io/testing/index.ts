/** The real kernel as the contract cases take it. Needs no test runner. */

export { realHost } from './real-host.ts';
