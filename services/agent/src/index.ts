export { type Agent, type AgentModules, createAgent } from './agent.ts';
export type { AgentApi } from './api/api.ts';
export type { Files } from './assignments/files.ts';
export type { AgentSettings } from './config.ts';
export type { CallLimits, ManagerLink, SessionChannel } from './session/link.ts';
