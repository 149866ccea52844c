export { isVisible as isTypable, visible, visibleData } from '@causeway/model';
