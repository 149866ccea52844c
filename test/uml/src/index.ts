/** User-Mode Linux guests with the machine's files, and the stories that are told in them. */

export { type GuestNeeds, runInUml } from './boot.ts';
export { formsOf, hasSecret, type SecretForms, textForms } from './guest/secret-forms.ts';
export { foundBy, type Outcome, type Outcomes } from './guest/steps.ts';
export { espModules, type Stories, tell } from './stories.ts';
