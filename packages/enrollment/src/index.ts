export * from './door.ts';
export * from './enroll.ts';
export * from './home.ts';
export * from './leave.ts';
