/** Version of every program and package here, as each package.json has it. A bundle has no package.json beside it. */
export const version = '0.1.0';
