//! Which command is allowed in which state (RFC 3501 §3, §6), and whom it goes to.

use super::answer::Answer;
use super::channel::{Channel, Gone};
use super::cmd;
use super::enabled::Enabled;
use super::notify::Watch;
use super::selected::Selected;
use super::server::Server;
use super::session::{State, Then};
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::{Command, Notify, Returns, Select, Tag};
use crate::wire::imap::response::Writer;

/// A command carried out.
pub(super) struct Done {
    /// What it is answered with.
    pub(super) answer: Answer,
    /// What it does to the state.
    pub(super) then: Then,
}

impl From<Answer> for Done {
    fn from(answer: Answer) -> Self {
        Self { answer, then: Then::Stay }
    }
}

/// What a command is carried out with, beside the state of the session.
pub(super) struct Turn<'a> {
    /// The command's tag.
    pub(super) tag: &'a Tag,
    /// What the client has turned on.
    pub(super) enabled: &'a mut Enabled,
    /// What it has asked to hear of.
    pub(super) notify: &'a mut Option<Box<Watch>>,
}

/// A command at the wrong time.
pub(super) fn not_now() -> Answer {
    Answer::bad("Not now")
}

/// Whether the mailbox that is open will not be after `command`, or not as it was.
pub(super) fn leaves_mailbox(command: &Command) -> bool {
    matches!(command, Command::Select(_) | Command::Close | Command::Unselect | Command::Logout)
}

/// Carries out one command. IDLE and APPEND, which read from the client themselves, are not among
/// them.
pub(super) async fn carry_out(
    server: &Server,
    channel: &mut Channel,
    state: &mut State,
    turn: Turn<'_>,
    command: Command,
) -> Result<Done, Gone> {
    let stage = state.stage(channel);
    if state.is_logged_in() && command.uses_condstore() {
        turn.enabled.use_condstore();
    }
    if turn.enabled.uid_only() && command.uses_sequence_numbers() {
        return Ok(Answer::uid_required().into());
    }
    Ok(match command {
        Command::Capability => {
            cmd::capability::capability(&mut channel.out, &server.capabilities(stage)).into()
        }
        Command::Noop => cmd::noop::noop().into(),
        Command::Id(told) => cmd::id::id(&mut channel.out, &told).into(),
        Command::Select(select) => open(server, channel, state, turn.enabled, &select).await?,
        Command::Notify(wanted) => listen(server, channel, state, turn, wanted).await,
        Command::MultiSearch(search) => {
            let mailboxes = &server.services.mailboxes;
            let (who, selected) = match state {
                State::Authenticated(who) => (who, None),
                State::Selected(who, selected) => (who, Some(&mut **selected)),
                State::NotAuthenticated | State::Logout => return Ok(not_now().into()),
            };
            cmd::esearch::esearch(mailboxes, channel, who, selected, turn.tag, &search)
                .await?
                .into()
        }
        Command::Logout => cmd::logout::logout(&mut channel.out),
        command => match state {
            State::NotAuthenticated => before_login(server, channel, command).await?,
            State::Authenticated(who) => {
                match about_mailboxes(server, channel, who, turn.enabled, command).await? {
                    Ok(done) => done,
                    Err(_) => not_now().into(),
                }
            }
            State::Selected(who, selected) => {
                match about_mailboxes(server, channel, who, turn.enabled, command).await? {
                    Ok(done) => done,
                    Err(command) => {
                        about_messages(server, channel, who, selected, turn, command).await?
                    }
                }
            }
            State::Logout => not_now().into(),
        },
    })
}

/// SELECT and EXAMINE. The mailbox that was open is closed, also where this fails.
async fn open(
    server: &Server,
    channel: &mut Channel,
    state: &State,
    enabled: &mut Enabled,
    select: &Select,
) -> Result<Done, Gone> {
    let who = match state {
        State::Authenticated(who) => who,
        State::Selected(who, _) => {
            cmd::close::closed(&mut channel.out);
            who
        }
        State::NotAuthenticated | State::Logout => return Ok(not_now().into()),
    };
    let mailboxes = &server.services.mailboxes;
    let mut done = cmd::select::select(mailboxes, channel, who, enabled, select).await?;
    if let Then::Select(selected) = &mut done.then {
        selected.take_at_most(server.limits.messages_per_command);
    }
    Ok(done)
}

/// NOTIFY, with a mailbox open or not.
async fn listen(
    server: &Server,
    channel: &mut Channel,
    state: &State,
    turn: Turn<'_>,
    wanted: Notify,
) -> Done {
    let (who, open) = match state {
        State::Authenticated(who) => (who, None),
        State::Selected(who, selected) => (who, Some(selected.folder)),
        State::NotAuthenticated | State::Logout => return not_now().into(),
    };
    let (mailboxes, out) = (&server.services.mailboxes, &mut channel.out);
    cmd::notify::notify(mailboxes, out, who, open, turn.notify, wanted).await.into()
}

/// Commands of the not authenticated state (RFC 3501 §6.2).
async fn before_login(
    server: &Server,
    channel: &mut Channel,
    command: Command,
) -> Result<Done, Gone> {
    Ok(match command {
        Command::StartTls => cmd::starttls::starttls(channel),
        Command::Login(login) => cmd::login::login(server, channel, login).await,
        Command::Authenticate(with) => {
            cmd::authenticate::authenticate(server, channel, with).await?
        }
        _ => not_now().into(),
    })
}

/// Commands of the authenticated state (RFC 3501 §6.3), which the selected state has as well.
/// Gives back any other.
async fn about_mailboxes(
    server: &Server,
    channel: &mut Channel,
    who: &Identity,
    enabled: &mut Enabled,
    command: Command,
) -> Result<Result<Done, Command>, Gone> {
    let mailboxes = &server.services.mailboxes;
    let out = &mut channel.out;
    Ok(Ok(match command {
        Command::Enable(names) => cmd::enable::enable(out, enabled, &names).into(),
        Command::Namespace => cmd::namespace::namespace(out).into(),
        Command::Compress(algorithm) => cmd::compress::compress(channel, algorithm),
        Command::Create(create) => cmd::create::create(mailboxes, who, &create).await.into(),
        Command::Delete(name) => cmd::delete::delete(mailboxes, who, &name).await.into(),
        Command::Rename(names) => {
            cmd::rename::rename(mailboxes, out, who, *enabled, &names).await.into()
        }
        Command::Subscribe(name) => {
            cmd::subscribe::subscribe(mailboxes, who, &name, true).await.into()
        }
        Command::Unsubscribe(name) => {
            cmd::subscribe::subscribe(mailboxes, who, &name, false).await.into()
        }
        Command::List(list) => cmd::list::list(mailboxes, channel, who, &list).await?.into(),
        Command::Lsub(lsub) => cmd::lsub::lsub(mailboxes, out, who, &lsub).await.into(),
        Command::Status(status) => cmd::status::status(mailboxes, out, who, &status).await.into(),
        other => return Ok(around_mailboxes(mailboxes, out, who, other).await),
    }))
}

/// Commands of the same states about what mailboxes carry beside messages. Gives back any other.
async fn around_mailboxes(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    command: Command,
) -> Result<Done, Command> {
    Ok(match command {
        Command::SetAcl(set) => cmd::acl::set_acl(mailboxes, who, &set.of, set.change).await.into(),
        Command::DeleteAcl(of) => {
            cmd::acl::set_acl(mailboxes, who, &of, cmd::acl::NO_RIGHTS).await.into()
        }
        Command::GetAcl(name) => cmd::acl::get_acl(mailboxes, out, who, &name).await.into(),
        Command::ListRights(of) => cmd::acl::list_rights(mailboxes, out, who, &of).await.into(),
        Command::MyRights(name) => cmd::acl::my_rights(mailboxes, out, who, &name).await.into(),
        Command::GetMetadata(wanted) => {
            cmd::metadata::get_metadata(mailboxes, out, who, &wanted).await.into()
        }
        Command::SetMetadata(set) => cmd::metadata::set_metadata(mailboxes, who, &set).await.into(),
        Command::GetQuota(root) => cmd::quota::get_quota(mailboxes, out, who, &root).await.into(),
        Command::GetQuotaRoot(name) => {
            cmd::quota::get_quota_root(mailboxes, out, who, &name).await.into()
        }
        Command::SetQuota(_) => cmd::quota::set_quota().into(),
        other => return Err(other),
    })
}

/// Commands of the selected state (RFC 3501 §6.4).
async fn about_messages(
    server: &Server,
    channel: &mut Channel,
    who: &Identity,
    selected: &mut Selected,
    turn: Turn<'_>,
    command: Command,
) -> Result<Done, Gone> {
    let Turn { tag, enabled, .. } = turn;
    let services = &server.services;
    let mailboxes = &services.mailboxes;
    Ok(match command {
        Command::Check => cmd::noop::noop().into(),
        Command::Close => cmd::close::close(mailboxes, who, selected, *enabled).await,
        Command::Unselect => cmd::close::unselect(),
        Command::Expunge => cmd::expunge::expunge(mailboxes, who, selected).await.into(),
        Command::UidExpunge(set) => {
            cmd::expunge::uid_expunge(mailboxes, who, selected, &set).await.into()
        }
        // RFC 9755 §3: there is one charset.
        Command::Search(search) if search.charset && enabled.utf8() => {
            Answer::bad("Everything is UTF-8 now").into()
        }
        Command::Search(mut search) => {
            if enabled.rev2() {
                // RFC 9051 §7.3.4: there is no other answer.
                search.returns.get_or_insert(Returns::ALL);
            }
            cmd::search::search(mailboxes, channel, who, selected, tag, &search).await?.into()
        }
        Command::Sort(sort) => {
            cmd::sort::sort(mailboxes, channel, who, selected, tag, &sort).await?.into()
        }
        Command::Thread(thread) => {
            cmd::thread::thread(mailboxes, channel, who, selected, tag, &thread).await?.into()
        }
        Command::Fetch(fetch) => {
            cmd::fetch::fetch(services, channel, who, selected, *enabled, &fetch).await?.into()
        }
        Command::Store(store) => {
            cmd::store::store(mailboxes, channel, who, selected, *enabled, &store).await?.into()
        }
        Command::StoreLabels(labels) => {
            let enabled = *enabled;
            cmd::labels::store_labels(services, channel, who, selected, enabled, &labels)
                .await?
                .into()
        }
        Command::Copy(copy) => {
            cmd::copy::copy(mailboxes, channel, who, selected, tag, &copy).await?.into()
        }
        Command::Move(transfer) => {
            cmd::r#move::r#move(mailboxes, channel, who, selected, tag, &transfer).await?.into()
        }
        _ => not_now().into(),
    })
}
