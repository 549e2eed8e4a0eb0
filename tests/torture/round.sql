create table t(a, b, c);
insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
	select i, i * 7919 % 1000003, printf('%x', i * 31337) from n;
create index ti on t(b);
select count(*), sum(b) from (select a, b from t where c like '%a%' order by b);
