import { sql, type Kysely } from 'kysely'

const statements = [
  sql`create table loans (
    id bigint generated always as identity primary key,
    agent_id text not null references bureau_agents,
    amount_cents bigint not null check (amount_cents > 0),
    amount_repaid_cents bigint not null default 0 check (amount_repaid_cents between 0 and amount_cents),
    status text not null default 'active' check (status in ('active', 'repaid', 'defaulted')),
    purpose text,
    requested_cents bigint not null check (requested_cents >= amount_cents),
    limit_cents bigint not null check (limit_cents >= amount_cents),
    score smallint not null check (score between 550 and 850),
    requested_at timestamptz not null,
    due_at timestamptz not null check (due_at > requested_at),
    late_at timestamptz check (late_at > due_at),
    defaulted_at timestamptz check (defaulted_at >= late_at),
    repaid_at timestamptz check (repaid_at >= requested_at),
    check ((status = 'repaid') = (amount_repaid_cents = amount_cents)),
    check ((status = 'repaid') = (repaid_at is not null)),
    check (defaulted_at is null or late_at is not null),
    check (status <> 'defaulted' or defaulted_at is not null),
    check (status <> 'active' or defaulted_at is null)
  )`,
  // One loan at a time, however many requests come at once: the index decides, not the code.
  sql`create unique index loans_one_outstanding on loans (agent_id) where status <> 'repaid'`,
  sql`create index loans_agent on loans (agent_id, id desc)`,
  sql`create index loans_due on loans (due_at) where status = 'active'`,
  sql`create function loans_guard() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' or old.status = 'repaid' or (old.status = 'defaulted' and new.status = 'active')
        or new.amount_repaid_cents < old.amount_repaid_cents
        or (old.late_at is not null and new.late_at is distinct from old.late_at)
        or (old.defaulted_at is not null and new.defaulted_at is distinct from old.defaulted_at)
        or row(new.id, new.agent_id, new.amount_cents, new.requested_cents, new.limit_cents, new.score, new.purpose, new.requested_at, new.due_at)
          is distinct from row(old.id, old.agent_id, old.amount_cents, old.requested_cents, old.limit_cents, old.score, old.purpose, old.requested_at, old.due_at)
      then
        raise exception 'Loan % goes forward only: active, perhaps defaulted, repaid; its terms stay.', old.id using errcode = 'restrict_violation';
      end if;
      return new;
    end $$`,
  sql`create trigger loans_guard before update or delete on loans for each row execute function loans_guard()`
]

/** Loans to agents: what was lent, what came back, and one outstanding loan an agent. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db)
}
