import { sql } from 'kysely'
import { steps } from './steps.ts'

/** Projects, their tasks, and the dependencies between tasks. */
export const work = steps([
  sql`create table projects (
    id text primary key,
    position bigint generated always as identity,
    partner_id text not null references partners on delete cascade,
    environment text not null check (environment in ('test', 'live')),
    name text not null check (name <> ''),
    description text,
    version integer not null default 1 check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (partner_id, environment, id)
  )`,
  sql`create unique index projects_list on projects (partner_id, environment, position desc)`,
  sql`create table tasks (
    id text primary key,
    position bigint generated always as identity,
    partner_id text not null references partners on delete cascade,
    environment text not null check (environment in ('test', 'live')),
    project_id text not null,
    title text not null check (title <> ''),
    description text,
    priority text not null check (priority in ('LOW', 'MEDIUM', 'HIGH', 'URGENT')),
    due_on timestamptz,
    status text not null check (status in ('TODO', 'IN_PROGRESS', 'DONE', 'CANCELLED')),
    version integer not null default 1 check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (partner_id, environment, id),
    foreign key (partner_id, environment, project_id) references projects (partner_id, environment, id)
  )`,
  sql`create unique index tasks_list on tasks (partner_id, environment, position desc)`,
  sql`create unique index tasks_of_project on tasks (partner_id, environment, project_id, position desc)`,
  // Both keys contain the partner and the environment, so that no task can depend on one of another partner or environment.
  sql`create table task_dependencies (
    partner_id text not null,
    environment text not null,
    task_id text not null,
    ordinal smallint not null check (ordinal between 1 and 50),
    depends_on_id text not null check (depends_on_id <> task_id),
    primary key (task_id, depends_on_id),
    unique (task_id, ordinal),
    foreign key (partner_id, environment, task_id) references tasks (partner_id, environment, id) on delete cascade,
    foreign key (partner_id, environment, depends_on_id) references tasks (partner_id, environment, id) on delete cascade
  )`,
  sql`create index task_dependencies_dependants on task_dependencies (partner_id, environment, depends_on_id, task_id)`
])
