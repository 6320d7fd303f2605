# The image of a gateway, with the web client that it serves. Needs nothing but its environment
# (docs/configuration.md), writes nothing to its file system, and drains on SIGTERM as process 1.

ARG NODE_IMAGE=node:22.23.2-bookworm-slim

# The page: built from the SDK's and the protocol's sources. What is installed depends on the manifests alone,
# so that a change of code installs nothing anew.
FROM ${NODE_IMAGE} AS page
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY protocol/package.json protocol/
COPY client/package.json client/
COPY web/package.json web/
RUN --mount=type=cache,target=/root/.npm npm ci --no-update-notifier -w protocol -w client -w web
COPY tsconfig.base.json ./
COPY protocol/ protocol/
COPY client/ client/
COPY web/ web/
RUN npm run build --no-update-notifier -w web

# What the gateway needs at run time: no tools, no Node.js from npm, and of uWebSockets.js' two dozen binaries the
# one that this image can load.
FROM ${NODE_IMAGE} AS modules
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY protocol/package.json protocol/
RUN --mount=type=cache,target=/root/.npm npm ci --no-update-notifier --omit=dev \
  && own="$(node -p '`uws_${process.platform}_${process.arch}_${process.versions.modules}.node`')" \
  && find node_modules/uWebSockets.js/dist/bin -type f ! -name "$own" -delete \
  && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.?ts' -o -name '*.md' \) -delete \
  && find node_modules -type d -empty -delete

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=modules /app/node_modules/ node_modules/
COPY package.json ./
COPY protocol/ protocol/
COPY --from=page /app/web/dist/ web/dist/
COPY src/ src/
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s CMD ["node", "-e", "\
  require(process.env.TLS_CERT ? 'https' : 'http') \
    .get({ host: '127.0.0.1', port: process.env.PORT || 8080, path: '/readyz', rejectUnauthorized: false }, \
      ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)) \
    .on('error', () => process.exit(1))"]
CMD ["node", "src/main.ts"]
