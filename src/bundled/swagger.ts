export { default as fastifySwagger } from '@fastify/swagger'
