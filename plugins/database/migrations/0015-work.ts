import { sql, type Kysely } from 'kysely'

const statements = [
  sql`create table projects (
    id text primary key,
    position bigint generated always as identity,
    partner_id text not null references partners on delete cascade,
    name text not null check (name <> ''),
    description text,
    version integer not null default 1 check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (partner_id, id)
  )`,
  sql`create unique index projects_list on projects (partner_id, position desc)`,
  sql`create table tasks (
    id text primary key,
    position bigint generated always as identity,
    partner_id text not null references partners on delete cascade,
    project_id text not null,
    title text not null check (title <> ''),
    description text,
    priority text not null check (priority in ('LOW', 'MEDIUM', 'HIGH', 'URGENT')),
    due_on timestamptz,
    status text not null check (status in ('TODO', 'IN_PROGRESS', 'DONE', 'CANCELLED')),
    version integer not null default 1 check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (partner_id, id),
    foreign key (partner_id, project_id) references projects (partner_id, id)
  )`,
  sql`create unique index tasks_list on tasks (partner_id, position desc)`,
  sql`create unique index tasks_of_project on tasks (partner_id, project_id, position desc)`,
  // The partner stands in both keys, so that no task can depend on another partner's.
  sql`create table task_dependencies (
    partner_id text not null,
    task_id text not null,
    ordinal smallint not null check (ordinal between 1 and 50),
    depends_on_id text not null check (depends_on_id <> task_id),
    primary key (task_id, depends_on_id),
    unique (task_id, ordinal),
    foreign key (partner_id, task_id) references tasks (partner_id, id) on delete cascade,
    foreign key (partner_id, depends_on_id) references tasks (partner_id, id) on delete cascade
  )`,
  sql`create index task_dependencies_dependants on task_dependencies (partner_id, depends_on_id, task_id)`
]

const acyclic = [
  sql`create function lock_task_dependencies(partner text) returns void language sql as $$
    select pg_advisory_xact_lock(hashtextextended('task dependencies of ' || partner, 0))
  $$`,
  // Each statement below sees what committed while the one before it waited for the lock.
  sql`create function task_dependencies_stay_acyclic() returns trigger language plpgsql as $$
    declare
      closing text;
    begin
      perform lock_task_dependencies(partner_id) from (select distinct partner_id from added order by partner_id) as partners;
      with recursive reached (origin, id) as (
        select task_id, depends_on_id from added
        union
        select reached.origin, further.depends_on_id from reached join task_dependencies further on further.task_id = reached.id
      )
      select origin into closing from reached where origin = id limit 1;
      if found then
        raise exception 'task % would wait for itself', closing using errcode = 'check_violation';
      end if;
      return null;
    end $$`,
  sql`create trigger task_dependencies_stay_acyclic after insert on task_dependencies
    referencing new table as added for each statement execute function task_dependencies_stay_acyclic()`,
  sql`create function refuse_task_dependency_change() returns trigger language plpgsql as $$
    begin
      raise exception 'a dependency is inserted or deleted, never changed' using errcode = 'restrict_violation';
    end $$`,
  sql`create trigger task_dependencies_are_replaced before update on task_dependencies
    for each statement execute function refuse_task_dependency_change()`
]

/** Projects, their tasks, and which task waits for which: a graph without cycles, whoever writes it and however many do at once. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...statements, ...acyclic]) await statement.execute(db)
}
