export type { Call } from './api/call.ts';
export type { Api } from './api/index.ts';
export type { AgentChannel } from './dispatcher/channel.ts';
export { createManager, type Manager, type ManagerModules, type ManagerSettings } from './manager.ts';
export { defaultPrefix } from './store/keys.ts';
export { MemoryStore } from './store/memory.ts';
export { MemoryBackend } from './store/memory-backend.ts';
export type { Store } from './store/store.ts';
