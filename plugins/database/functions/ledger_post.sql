-- Books a movement of credits as two entries: the wallet's and its counterpart's, which is the system account that the type
-- names, or the other wallet of a transfer. The only way in which the product moves credits.
--
-- p_amount_cents  positive into the wallet, negative out of it
-- p_reference     makes the call idempotent: the same reference is booked once. Null for movements without one.
-- p_to_wallet_id  the wallet that a transfer pays; null for other types
-- outcome         posted; repeated, when the reference was booked before with the same amount; insufficient, when the
--                 balance would become negative. Nothing is booked then, and transaction_id is null.
-- balance_cents   that of the first wallet
-- Raises check_violation for an amount with the wrong sign or a counterpart that the type does not have,
-- foreign_key_violation for an unknown wallet, and unique_violation for a reference that was booked with another amount.
create or replace function ledger_post(
  p_wallet_id text, p_type text, p_amount_cents bigint, p_description text, p_reference text, p_at timestamptz,
  p_to_wallet_id text default null,
  out outcome text, out transaction_id bigint, out balance_cents bigint
) language plpgsql as $$
declare
  counter_account text;
  booked_cents bigint;
  locked integer;
begin
  if p_amount_cents = 0 or (p_type in ('earn', 'loan') and p_amount_cents < 0)
    or (p_type in ('spend', 'repayment', 'refund', 'transfer') and p_amount_cents > 0) then
    raise exception 'A ledger transaction of the type % cannot move % cents.', p_type, p_amount_cents
      using errcode = 'check_violation';
  end if;
  if (p_type = 'transfer') <> (p_to_wallet_id is not null) or p_to_wallet_id = p_wallet_id then
    raise exception 'A ledger transaction of the type % cannot pay the wallet %.', p_type, p_to_wallet_id
      using errcode = 'check_violation';
  end if;
  -- Two wallets are locked in one order, so that two transfers never wait for each other.
  if p_to_wallet_id is not null then
    perform from ledger_wallets w where w.wallet_id in (p_wallet_id, p_to_wallet_id)
      order by w.wallet_id for no key update;
    get diagnostics locked = row_count;
    if locked < 2 then
      raise exception 'There is no wallet % or no wallet %.', p_wallet_id, p_to_wallet_id
        using errcode = 'foreign_key_violation';
    end if;
  end if;
  -- Serializes movements of one wallet; "no key update" does not block inserts of rows that refer to it.
  select w.balance_cents into balance_cents from ledger_wallets w where w.wallet_id = p_wallet_id for no key update;
  if not found then
    raise exception 'There is no wallet %.', p_wallet_id using errcode = 'foreign_key_violation';
  end if;
  if p_reference is not null then
    select t.id, e.amount_cents into transaction_id, booked_cents
      from ledger_transactions t
      left join ledger_entries e on e.transaction_id = t.id and e.wallet_id = p_wallet_id
      where t.reference = p_reference;
    if found then
      if booked_cents is distinct from p_amount_cents then
        raise exception 'The reference % is booked already with another content.', p_reference
          using errcode = 'unique_violation';
      end if;
      outcome := 'repeated';
      return;
    end if;
  end if;
  if balance_cents + p_amount_cents < 0 then
    outcome := 'insufficient';
    return;
  end if;
  insert into ledger_transactions (type, description, reference, created_at)
    values (p_type, p_description, p_reference, p_at) returning id into transaction_id;
  counter_account := case p_type
    when 'earn' then 'system:topup' when 'refund' then 'system:topup'
    when 'spend' then 'system:spend'
    when 'loan' then 'system:loan' when 'repayment' then 'system:loan'
    when 'transfer' then 'wallet:' || p_to_wallet_id
    else 'system:adjustment' end;
  insert into ledger_entries (transaction_id, account, wallet_id, amount_cents) values
    (transaction_id, 'wallet:' || p_wallet_id, p_wallet_id, p_amount_cents),
    (transaction_id, counter_account, p_to_wallet_id, -p_amount_cents);
  balance_cents := balance_cents + p_amount_cents;
  outcome := 'posted';
end $$;
