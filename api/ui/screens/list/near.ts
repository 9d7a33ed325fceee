/** How far from the window is near. */
const NEAR = '1200px 0px';

const told = new WeakMap<Element, (isNear: boolean) => void>();
let observer: IntersectionObserver | undefined;

/** Tells whenever a part of the page comes near to what is seen, and when it goes. @returns what ends that */
export function watchNear(node: Element, tell: (isNear: boolean) => void): () => void {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) told.get(target)?.(isIntersecting);
    },
    { rootMargin: NEAR },
  );
  told.set(node, tell);
  observer.observe(node);
  return () => {
    observer?.unobserve(node);
    told.delete(node);
  };
}
