/** Requests of the SDK itself: they are its overhead, not the page's work. */
export function ownRequests(urls: readonly (string | undefined)[]): (name: string) => boolean {
  const own = urls.filter((url): url is string => !!url);
  return (name) => own.some((url) => name.startsWith(url));
}
