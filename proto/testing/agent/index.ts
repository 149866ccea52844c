export * from './scripted-agent.ts';
export * from './scripted-session.ts';
