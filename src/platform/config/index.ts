export { ConfigError, Flag, HttpUrl, Port, PositiveInt, Secret, readConfig } from './config.ts'
