# Users in a database, and the configuration that the manager would write: OpenID Connect issuer on
# (documentation: OpenID Connect Provider), two public clients that must use PKCE, a resource server.
use strict;
use warnings;
use DBI;
use JSON;
use Lemonldap::NG::Common::Session;
use Lemonldap::NG::Common::Util qw(getPSessionID);

my ( $state, $port ) = @ENV{qw(STATE PORT)};

sub content {
    my $path = shift;
    open my $file, '<', $path or die "$path: $!";
    local $/;
    return <$file>;
}

my $db = DBI->connect( "dbi:SQLite:dbname=$state/users.sqlite", '', '', { RaiseError => 1 } );
$db->do('CREATE TABLE users (user TEXT PRIMARY KEY, password TEXT, mail TEXT)');
my $add = $db->prepare('INSERT INTO users VALUES (?, ?, ?)');
$add->execute( 'alice', $ENV{INTEROP_PASSWORD},        'alice@example.test' );
$add->execute( 'bob',   $ENV{INTEROP_SECOND_PASSWORD}, 'bob@example.test' );
$add->execute( 'carol', $ENV{INTEROP_PASSWORD},        'carol@example.test' );
$db->disconnect;

sub public_client {
    my ( $id, $redirect_uri, %more ) = @_;
    return {
        oidcRPMetaDataOptionsClientID      => $id,
        oidcRPMetaDataOptionsDisplayName   => $id,
        oidcRPMetaDataOptionsPublic        => 1,
        oidcRPMetaDataOptionsRequirePKCE   => 1,
        oidcRPMetaDataOptionsRedirectUris  => $redirect_uri,
        oidcRPMetaDataOptionsIDTokenSignAlg => 'RS256',
        oidcRPMetaDataOptionsUserIDAttr    => 'user',
        oidcRPMetaDataOptionsRefreshToken  => 1,
        oidcRPMetaDataOptionsBypassConsent => 1,
        %more,
    };
}

my %sessions = ( generateModule => 'Lemonldap::NG::Common::Apache::Session::Generate::SHA256' );
my $claims = { email => 'mail' };
my $conf = {
    cfgNum     => 1,
    cfgVersion => '2.16.1',
    cfgDate    => time,
    cfgAuthor  => 'operator',
    domain     => 'example.test',
    portal     => "https://login.example.test:$port/",
    key        => content("$state/secret"),

    securedCookie        => 1,
    strictTransportSecurityMax_Age => 31536000,

    authentication       => 'DBI',
    userDB               => 'DBI',
    passwordDB           => 'Null',
    registerDB           => 'Null',
    dbiAuthChain         => "dbi:SQLite:dbname=$state/users.sqlite",
    dbiUserChain         => "dbi:SQLite:dbname=$state/users.sqlite",
    dbiAuthTable         => 'users',
    dbiUserTable         => 'users',
    dbiAuthLoginCol      => 'user',
    dbiAuthPasswordCol   => 'password',
    userPivot            => 'user',
    dbiExportedVars      => { user => 'user', mail => 'mail' },
    macros               => { _whatToTrace => '$_user' },
    whatToTrace          => '_whatToTrace',

    # A second factor for those who registered one, with what RFC 6238 recommends.
    totp2fActivation => 'has2f("TOTP")',
    totp2fInterval   => 30,
    totp2fRange      => 1,
    totp2fDigits     => 6,

    portalCheckLogins          => 0,
    portalDisplayRegister      => 0,
    portalDisplayResetPassword => 0,

    globalStorage        => 'Apache::Session::File',
    globalStorageOptions => {
        Directory => "$state/sessions", LockDirectory => "$state/sessions/lock", %sessions
    },
    persistentStorage        => 'Apache::Session::File',
    persistentStorageOptions => {
        Directory => "$state/psessions", LockDirectory => "$state/psessions/lock"
    },
    localSessionStorageOptions => {
        cache_root => "$state/cache", cache_depth => 3, default_expires_in => 600,
        directory_umask => '007', namespace => 'sessions'
    },
    locationRules => { 'login.example.test' => { default => 'accept' } },

    issuerDBOpenIDConnectActivation  => 1,
    oidcServicePrivateKeySig         => content("$state/key.pem"),
    oidcServicePublicKeySig          => content("$state/key.pub"),
    oidcServiceKeyIdSig              => 'key-1',
    oidcServiceAllowAuthorizationCodeFlow => 1,
    oidcServiceAllowImplicitFlow     => 0,
    oidcServiceAllowHybridFlow       => 0,
    oidcRPMetaDataOptions => {
        native => public_client( 'native', 'http://127.0.0.1:9999/callback',
            oidcRPMetaDataOptionsPostLogoutRedirectUris => 'http://127.0.0.1:9999/signed-out' ),
        other => public_client( 'other', 'http://127.0.0.1:9998/callback2' ),
        api   => {
            oidcRPMetaDataOptionsClientID     => 'api',
            oidcRPMetaDataOptionsClientSecret => $ENV{INTEROP_SECRET},
            oidcRPMetaDataOptionsIDTokenSignAlg => 'RS256',
        },
    },
    oidcRPMetaDataExportedVars => { map { $_ => $claims } qw(native other api) },
};

open my $out, '>', "$state/conf/lmConf-1.json" or die "lmConf-1.json: $!";
print $out JSON->new->canonical->pretty->encode($conf);
close $out;

# What carol's registration of an authenticator would have left in her persistent session.
my $device =
  { type => 'TOTP', name => 'phone', _secret => $ENV{INTEROP_TOTP}, epoch => time };
my $session = Lemonldap::NG::Common::Session->new( {
        storageModule        => $conf->{persistentStorage},
        storageModuleOptions => $conf->{persistentStorageOptions},
        id                   => getPSessionID('carol'),
        force                => 1,
        kind                 => 'Persistent',
        info => { _session_uid => 'carol', _2fDevices => encode_json( [$device] ) },
    }
);
die $session->error if $session->error;
