export { anyMessage, type Message, type MessageType } from './any-message.ts';
