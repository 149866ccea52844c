export { type Agent, createAgent } from './agent.ts';
export type { AgentApi } from './api/api.ts';
export type { AgentSettings } from './config.ts';
export type { Files } from './disk/files.ts';
export { resetHost } from './host/reset.ts';
export type { CallLimits, ManagerLink, SessionChannel } from './managers/link.ts';
export type { AgentModules } from './start.ts';
