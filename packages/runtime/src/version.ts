/**
 * Version of all programs and packages, the same as in each package.json. It is here because a bundle has no
 * package.json.
 */
export const version = '0.1.0';
